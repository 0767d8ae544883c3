import type { IdleSession } from '../session/idle-session.js';
import { showOffer } from './draft-offer.js';
import { FormFields } from './form-fields.js';
import {
  draftNameOf,
  fetchDraftKeys,
  removeDraft,
  seal,
  storedDrafts,
  storeDraft,
  unseal,
  type Draft,
  type DraftKeys,
} from './sealed-storage.js';

const DAY_MS = 86_400_000;

const GUARDED = 'form[data-guard-forms]:not([autocomplete=off i])';

type WatchedSession = Pick<IdleSession, 'getState' | 'subscribe' | 'signal'>;

/**
 * Keeps what a person enters in the page's forms with `data-guard-forms`, so that it is not lost with the session:
 * encrypted, with a key that the server gives only to a live session of the same person. The draft is offered again, and
 * removed when its form was sent, when the person discards it, when it cannot be read, and after a day. For every page,
 * also without forms: whether the server accepted a form shows on the page that follows. Stops with the session, since what
 * comes later may be another person's; returns how to stop before.
 */
export function guardForms(session: WatchedSession, path: string): () => void {
  // Elsewhere there is no encryption, and so no draft.
  if (!isSecureContext) return () => {};

  const stopping = new AbortController();
  const { signal } = stopping;
  const stop = () => stopping.abort();
  session.signal.addEventListener('abort', stop);
  if (session.signal.aborted) stop();
  const fields = new FormFields();
  /** Forms that show something of the person's own, with the session in which they were submitted as they are. */
  const touched = new WeakMap<HTMLFormElement, string>();
  /** The names of drafts that were offered, or are of what was entered in this page. */
  const known = new Set<string>();
  let keys: Promise<DraftKeys | void> | undefined;

  let queue = whenAlive(session, signal)
    .then(async () => {
      settleDrafts(session.getState().sessionRef);
      const drafts = storedDrafts();
      const secretKeys = (drafts[0] || guardedForms()[0]) && (await ownersKeys());
      if (secretKeys) for (const draft of drafts) await offer(secretKeys, draft);
    })
    .catch(() => {});

  /** Undefined if there is none: the owner is unknown, or the server cannot be asked. */
  function ownersKeys(): Promise<DraftKeys | void> {
    return (keys ??= fetchDraftKeys(path).catch(() => {}));
  }

  async function offer(secretKeys: DraftKeys, draft: Draft): Promise<void> {
    const { name, savedAt } = draft;
    const entries = await unseal(secretKeys, draft).catch(() => removeDraft(name));
    const form = guardedForms().find((one) => draftNameOf(one) === name);
    if (!entries || !form || signal.aborted) return;
    known.add(name);
    // The browser or the server has filled it in already.
    if (entries === fields.read(form)) return void touched.set(form, touched.get(form) ?? '');

    const removeOffer = showOffer(form, Number(savedAt), {
      onRestore: () => {
        fields.fillIn(form, entries);
        save(form);
      },
      onDiscard: () => {
        removeDraft(name);
        // What was entered since the offer is not discarded with it.
        if (touched.has(form)) save(form);
      },
    });
    signal.addEventListener('abort', removeOffer);
  }

  /** At once, since a page may be left at any time. */
  function save(form: HTMLFormElement, submittedIn = ''): void {
    touched.set(form, submittedIn);
    // The storage may be full.
    queue = queue.then(() => write(form)).catch(() => {});
  }

  async function write(form: HTMLFormElement): Promise<void> {
    const secretKeys = await ownersKeys();
    if (!secretKeys) return;
    const id = { name: draftNameOf(form), savedAt: String(Date.now()) };
    // The form may have come after the offers: no draft is overwritten unseen.
    const unseen = storedDrafts().find(({ name }) => name === id.name && !known.has(name));
    if (unseen) await offer(secretKeys, unseen);
    known.add(id.name);
    const sealed = await seal(secretKeys, id, fields.read(form));
    const submittedIn = touched.get(form);
    // The form may have been reset meanwhile.
    if (submittedIn !== undefined) storeDraft({ ...id, submittedIn, sealed });
  }

  const onFormEvent = ({ type, target, isTrusted }: Event) => {
    const form = target instanceof HTMLFormElement ? target : (target as HTMLInputElement).form;
    if (!form || !guardedForms().includes(form)) return;
    if (type === 'submit') {
      if (touched.has(form)) save(form, session.getState().sessionRef ?? '');
    } else if (type === 'reset') {
      touched.delete(form);
      removeDraft(draftNameOf(form));
    } else if (isTrusted) save(form);
  };
  for (const type of ['input', 'submit', 'reset']) {
    addEventListener(type, onFormEvent, { signal, capture: true });
  }

  return stop;
}

function guardedForms(): HTMLFormElement[] {
  return [...document.querySelectorAll<HTMLFormElement>(GUARDED)];
}

/** Resolves once the server has said that the session is alive; never after the stop. */
function whenAlive(session: WatchedSession, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const resolveIfAlive = () => {
      if (/active|warning/.test(session.getState().state)) resolve();
    };
    signal.addEventListener('abort', session.subscribe(resolveIfAlive));
    resolveIfAlive();
  });
}

/**
 * The server may have refused a form because the session had ended, and an ended session never comes back: if the page
 * that follows is of the session of the submit, and no error, the server accepted the form. Otherwise the draft stays:
 * also after a reload or a step back, which may follow a submit that never reached the server.
 */
function settleDrafts(sessionRef: string | null): void {
  const [arrival] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
  const isAnswer = arrival?.type === 'navigate' && !isError(arrival);
  for (const draft of storedDrafts()) {
    const isTooOld = Date.now() - Number(draft.savedAt) > DAY_MS;
    const wasAccepted = isAnswer && draft.submittedIn === sessionRef;
    if (isTooOld || wasAccepted) removeDraft(draft.name);
    else storeDraft({ ...draft, submittedIn: '' });
  }
}

/** WebKit tells a page no status: there, a page is an error unless the server says in `Server-Timing` that it is none. */
function isError({ responseStatus, serverTiming = [] }: Partial<PerformanceNavigationTiming>) {
  if (responseStatus !== undefined) return responseStatus >= 400;
  const names = serverTiming.map(({ name }) => name);
  return !names.includes('idle-session') || names.includes('http-status');
}
