import { createIdleSession } from '../session/create-idle-session.js';
import { createWarningDialog, type ShownSession } from './warning-dialog.js';

const TAG = 'idle-session-dialog';

/**
 * `<idle-session-dialog>` warns before the session ends and lets the person stay or sign out, covers the page while it is
 * locked and when the time is up, and sends it to sign in. Of several in a page that show the same session, only the first does so.
 *
 * Attributes: `path` of the server's endpoints and `extend-on-activity` (whether activity while it warns extends) count
 * as it is connected. Each text can be replaced by an attribute or a slot of its name: `heading`, `text` and `left` (with
 * `{time}` in the attribute), `fixed`, `stay`, `continue`, `sign-out`, `locked`, `unlock-page`, `unreachable`, `failed`, `kept`,
 * `retry`, `ended`, `signed-out`. Without, they are in the language of the nearest `lang`.
 *
 * The slot `unlock` is for the page's own form, which unlocks the session; it is shown, and emptied afterwards, only while
 * the session is locked. Without one, a button leads to the server's `unlockUrl`.
 *
 * Looks: `--idle-session-accent`, `-on-accent`, `-surface`, `-text`, `-radius`, `-font`, and the parts `dialog`,
 * `heading`, `text`, `note`, `counter`, `message`, `unlock`, `stay`, `sign-out`, `reminder`.
 *
 * Events, all bubbling: `warning`; `extended`, after a warning; and, cancelable, `expired` with `detail.reason`. Unless
 * that one is prevented, the page is replaced by the login page, with `reason` and `returnTo` in its query. If it is
 * prevented, the page stays covered until the element is removed or given another `session`; a dialog that the app
 * opens then lies above the cover.
 */
export interface IdleSessionDialogElement extends HTMLElement {
  /**
   * What it shows; to be set once the element is defined. If there is none when it is connected, it creates one, and
   * destroys that when it is removed.
   */
  session: ShownSession | undefined;
}

declare global {
  interface HTMLElementTagNameMap {
    'idle-session-dialog': IdleSessionDialogElement;
  }
}

/**
 * Defines `<idle-session-dialog>`, once. On a server, and in jsdom, it does nothing.
 *
 * @param shared the session of elements that have been given none; default: each creates its own
 */
export function defineIdleSessionDialog(shared?: ShownSession): void {
  if (!globalThis.document?.adoptedStyleSheets || customElements.get(TAG)) return;

  class IdleSessionDialog extends HTMLElement implements IdleSessionDialogElement {
    readonly #start = createWarningDialog(this);
    #stop: (() => void) | undefined;
    #given: ShownSession | undefined = shared;
    #created: ReturnType<typeof createIdleSession> | undefined;

    get session(): ShownSession | undefined {
      return this.#given ?? this.#created;
    }

    set session(session: ShownSession | undefined) {
      this.#given = session;
      if (this.isConnected) this.connectedCallback();
    }

    connectedCallback(): void {
      this.disconnectedCallback();
      this.#created = this.#given
        ? undefined
        : createIdleSession({
            path: this.getAttribute('path') ?? undefined,
            extendOnActivity: this.hasAttribute('extend-on-activity'),
          });
      this.#stop = this.#start(this.session!);
    }

    disconnectedCallback(): void {
      this.#stop?.();
      this.#stop = undefined;
      this.#created?.destroy();
      this.#created = undefined;
    }
  }

  customElements.define(TAG, IdleSessionDialog);
}
