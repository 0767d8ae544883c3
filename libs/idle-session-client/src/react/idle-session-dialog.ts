import {
  createElement,
  useEffect,
  useLayoutEffect,
  useRef,
  type HTMLAttributes,
  type ReactElement,
} from 'react';
import {
  defineIdleSessionDialog,
  type IdleSessionDialogElement,
} from '../dialog/idle-session-dialog.js';
import type { TextKey } from '../dialog/words/words.js';
import type { EndReason } from '../protocol/end-reason.js';
import { idleSession } from '../session/page-session.js';

/** Where React renders on a server, before 19 it complained about each other one. */
const useEffectAtOnce = typeof document === 'undefined' ? useEffect : useLayoutEffect;

/** The texts that replace those of the dialog, what happens, and attributes of HTML; children fill its slots. */
export interface IdleSessionDialogProps
  extends
    Partial<Record<TextKey, string>>,
    Pick<HTMLAttributes<HTMLElement>, 'children' | 'dir' | 'id' | 'lang' | 'style'> {
  readonly onWarning?: (event: Event) => void;
  /** After a warning. */
  readonly onExtended?: (event: Event) => void;
  /** Unless it is prevented, the page is replaced by the login page. */
  readonly onExpired?: (event: CustomEvent<{ readonly reason: EndReason | null }>) => void;
}

/** `<idle-session-dialog>` for the session of the page. Once, where it stays mounted as long as the app. */
export function IdleSessionDialog(props: IdleSessionDialogProps): ReactElement {
  const { onWarning, onExtended, onExpired, ...attributes } = props;
  const ref = useRef<IdleSessionDialogElement>(null);

  // Before React 19, a custom element got its listeners only like this. At once, since the session may warn or be over
  // already when the element comes into the page.
  useEffectAtOnce(() => {
    const element = ref.current!;
    const listeners = { warning: onWarning, extended: onExtended, expired: onExpired };
    const entries = Object.entries(listeners) as [string, EventListener | undefined][];
    for (const [type, listener] of entries) {
      if (listener) element.addEventListener(type, listener);
    }
    return () => {
      for (const [type, listener] of entries) {
        if (listener) element.removeEventListener(type, listener);
      }
    };
  }, [onWarning, onExtended, onExpired]);

  useEffect(() => {
    defineIdleSessionDialog(idleSession);
    // Defined by another module, it may show another session.
    if (ref.current!.session !== idleSession) ref.current!.session = idleSession;
  }, []);

  return createElement('idle-session-dialog', { ...attributes, ref });
}
