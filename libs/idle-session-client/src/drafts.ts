import { draftWords } from './drafts-words.js';
import type { IdleSession } from './idle-session.js';

type Field = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

const PREFIX = 'idle-session:draft:';
const DAY_MS = 86_400_000;
const IV_BYTES = 12;

/** Assistive technology announces what changes in a region that it knows already. */
const ANNOUNCE_MS = 100;

const GUARDED = 'form[data-guard-forms]:not([autocomplete=off i])';

/** Types of field and kinds of `autocomplete` that are never kept. */
const NEVER = /file|hidden|submit|button|reset|output|fieldset|password|off|cc-|one-time/i;

/**
 * Keeps what a person enters in the page's forms with `data-guard-forms`, so that it is not lost with the session:
 * encrypted, with a key that the server gives only to a live session of the same person. It is offered back, and
 * removed when it was sent, is refused, cannot be read, or is a day old. For every page, also without forms: whether a
 * form was taken shows on the page that follows. Returns how to stop.
 */
export function guardForms(
  session: Pick<IdleSession, 'getState' | 'subscribe'>,
  path: string,
): () => void {
  // Elsewhere there is no encryption, and so no draft.
  if (!isSecureContext) return () => {};

  const stopping = new AbortController();
  const { signal } = stopping;
  /** Forms that show something of the person's own, with the session in which they were submitted as they are. */
  const touched = new WeakMap<HTMLFormElement, string | null>();
  /** Fields that were for a password once: a button may show it, as plain text. */
  const secret = new WeakSet(document.querySelectorAll('[type=password]'));
  let key: Promise<CryptoKey | void> | undefined;

  /** By what tells a field from the others of its form. */
  function fieldsOf(form: HTMLFormElement): Map<string, Field> {
    const fields = new Map<string, Field>();
    for (const field of form.elements as Iterable<Element> as Iterable<Field>) {
      const { type, name, value } = field;
      if (type === 'password') secret.add(field);
      if (secret.has(field) || NEVER.test(type + field.getAttribute('autocomplete'))) continue;
      if (field.matches(':disabled,[readonly]')) continue;
      let id = `${name} ${isCheckable(field) && value}`;
      while (fields.has(id)) id += ' ';
      fields.set(id, field);
    }
    return fields;
  }

  function entriesOf(form: HTMLFormElement): string {
    return JSON.stringify(Array.from(fieldsOf(form), ([id, field]) => [id, stateOf(field)]));
  }

  // Saving

  /** At once, since a page may be left at any time. */
  function save(form: HTMLFormElement, sentIn: string | null = ''): void {
    touched.set(form, sentIn);
    // The storage may be full.
    queue = queue.then(() => write(form)).catch(() => {});
  }

  async function write(form: HTMLFormElement): Promise<void> {
    const secretKey = await keyOfOwner();
    if (!secretKey) return;
    const name = nameOf(form);
    const at = Date.now();
    const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
    const text = new TextEncoder().encode(entriesOf(form));
    const sealed = await crypto.subtle.encrypt(aesGcm(iv, name, at), secretKey, text);
    // It may have been reset meanwhile.
    if (!touched.has(form)) return;
    sessionStorage.setItem(name, String([at, touched.get(form), iv, new Uint8Array(sealed)]));
  }

  // Offering

  /**
   * A form that was submitted may have been refused, because the session had ended. An ended session never comes back:
   * if the page that follows is of the session of the submit, and no error, the form was taken. Otherwise the draft
   * stays: also after a reload or a step back, which may follow a submit that reached nobody.
   */
  function settle(): void {
    const [arrival] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
    const isAnswer = arrival?.type === 'navigate' && !(arrival.responseStatus >= 400);
    const { sessionRef } = session.getState();
    for (const [name, at, sentIn, ...sealed] of drafts()) {
      if (Date.now() - Number(at) > DAY_MS || (isAnswer && sentIn === sessionRef)) {
        sessionStorage.removeItem(name);
      } else sessionStorage.setItem(name, String([at, '', sealed]));
    }
  }

  /** Undefined if there is none: nobody is known, or the server cannot be asked. */
  function keyOfOwner(): Promise<CryptoKey | void> {
    return (key ??= fetchKey().catch(() => {}));
  }

  async function fetchKey(): Promise<CryptoKey> {
    const response = await fetch(`${path}/draft-key`);
    const body = (await response.json()) as { key?: string };
    // A JSON Web Key takes the base64url as it is.
    const jwk = { kty: 'oct', k: body.key };
    const usages: KeyUsage[] = ['encrypt', 'decrypt'];
    const fetched = await crypto.subtle.importKey('jwk', jwk, 'AES-GCM', false, usages);
    // Before anything is saved, so that none is overwritten unseen.
    for (const draft of drafts()) await offer(fetched, draft);
    return fetched;
  }

  async function offer(
    secretKey: CryptoKey,
    [name, at, , ...sealed]: ReturnType<typeof drafts>[number],
  ): Promise<void> {
    const bytes = new Uint8Array(sealed.map(Number));
    const algorithm = aesGcm(bytes.slice(0, IV_BYTES), name, at);
    const entries = await crypto.subtle
      .decrypt(algorithm, secretKey, bytes.slice(IV_BYTES))
      .then((text) => new TextDecoder().decode(text))
      // Somebody else's, or tampered with.
      .catch(() => sessionStorage.removeItem(name));
    const form = [...document.forms].find((one) => one.matches(GUARDED) && nameOf(one) === name);
    if (!entries || !form || signal.aborted) return;
    // The browser or the server has filled it in already.
    if (entries === entriesOf(form)) return void touched.set(form, '');

    const [lang, unsent, restore, discard] = draftWords(form);
    const time = new Date(Number(at)).toLocaleTimeString(lang, { timeStyle: 'short' });
    const box = document.createElement('output');
    const choice = (label: string, run: () => void) => {
      const button = document.createElement('button');
      button.textContent = label;
      button.onclick = () => {
        run();
        box.remove();
        // The focus was on what is gone now.
        form.tabIndex = -1;
        form.focus();
      };
      box.append(' ', button);
    };
    box.className = 'idle-session-draft';
    box.lang = lang;
    form.before(box);
    setTimeout(() => {
      box.append(`${unsent} (${time})`);
      choice(restore, () => {
        for (const [id, state] of JSON.parse(entries) as [string, string][]) {
          // Anew for each: one field may bring others with it.
          fill(fieldsOf(form).get(id), state);
        }
        save(form);
      });
      choice(discard, () => {
        sessionStorage.removeItem(name);
        // What was entered since the offer was not refused with it.
        if (touched.has(form)) save(form);
      });
    }, ANNOUNCE_MS);
    signal.addEventListener('abort', () => box.remove());
  }

  // Hearing

  const hear = ({ type, target, isTrusted }: Event) => {
    const form = ((target as Field).form ?? target) as HTMLFormElement;
    if (!form.matches?.(GUARDED)) return;
    if (type === 'submit') {
      if (touched.has(form)) save(form, session.getState().sessionRef);
    } else if (type === 'reset') {
      touched.delete(form);
      sessionStorage.removeItem(nameOf(form));
    } else if (isTrusted) save(form);
  };
  for (const type of ['input', 'submit', 'reset']) {
    addEventListener(type, hear, { signal, capture: true });
  }

  let look!: () => void;
  let queue = new Promise<void>((resolve) => {
    look = () => /active|warning/.test(session.getState().state) && resolve();
  })
    .then(async () => {
      settle();
      if (drafts()[0] || document.querySelector(GUARDED)) await keyOfOwner();
    })
    .catch(() => {});
  const unsubscribe = session.subscribe(look);
  look();
  return () => {
    unsubscribe();
    stopping.abort();
  };
}

/** The drafts in this tab: their names, and what is stored of each. */
function drafts(): [name: string, at?: string, sentIn?: string, ...sealed: string[]][] {
  return Object.keys(sessionStorage)
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => [name, ...sessionStorage.getItem(name)!.split(',')]);
}

/** The query belongs to it: it may say what the form is about. */
function nameOf(form: HTMLFormElement): string {
  const id = form.id || [...document.forms].indexOf(form);
  return `${PREFIX}${location.pathname}${location.search}#${id}`;
}

// Fields

function isCheckable(field: Field): field is HTMLInputElement {
  return /checkbox|radio/.test(field.type);
}

function stateOf(field: Field): string {
  if ('options' in field) return Array.from(field.selectedOptions, ({ value }) => value).join('\n');
  return isCheckable(field) ? String(field.checked) : field.value;
}

function fill(field: Field | undefined, state: string): void {
  if (!field || stateOf(field) === state) return;
  if (isCheckable(field)) return field.click();
  if ('options' in field) {
    const values = state.split('\n');
    for (const option of field.options) option.selected = values.includes(option.value);
  } else field.value = state;
  for (const type of ['input', 'change']) field.dispatchEvent(new Event(type, { bubbles: true }));
}

// Encryption

/** What is sealed so opens only so: a draft cannot be made that of another form, or younger. */
function aesGcm(iv: Uint8Array<ArrayBuffer>, name: string, at?: unknown): AesGcmParams {
  return { name: 'AES-GCM', iv, additionalData: new TextEncoder().encode(name + at) };
}
