const PREFIX = 'idle-session:draft:';
const IV_BYTES = 12;

/** What is stored of a form, encrypted. */
export interface Draft {
  readonly name: string;
  /** In milliseconds of `Date.now()`. */
  readonly savedAt: string;
  /** The session in which the form was submitted as it is; empty: it was not. */
  readonly submittedIn: string;
  readonly sealed: readonly string[];
}

/** The drafts in this tab. */
export function storedDrafts(): Draft[] {
  return Object.keys(sessionStorage)
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => {
      const [savedAt = '', submittedIn = '', ...sealed] = sessionStorage.getItem(name)!.split(',');
      return { name, savedAt, submittedIn, sealed };
    });
}

/** Fails where the storage is full. */
export function storeDraft({ name, savedAt, submittedIn, sealed }: Draft): void {
  sessionStorage.setItem(name, String([savedAt, submittedIn, ...sealed]));
}

export function removeDraft(name: string): void {
  sessionStorage.removeItem(name);
}

/** The query belongs to the name: it may say what the form is about. */
export function draftNameOf(form: HTMLFormElement): string {
  // A field named `id` hides the property.
  const id = form.getAttribute('id') || [...document.forms].indexOf(form);
  return `${PREFIX}${location.pathname}${location.search}#${id}`;
}

/** The key of the person that seals, and after it those of older secrets. */
export type DraftKeys = readonly [CryptoKey, ...CryptoKey[]];

/** The keys of the person, which the server gives only to a live session; fails without one. */
export async function fetchDraftKeys(path: string): Promise<DraftKeys> {
  const response = await fetch(`${path}/draft-key`, { credentials: 'include' });
  const { key, olderKeys = [] } = (await response.json()) as { key?: string; olderKeys?: string[] };
  const imported = [key, ...olderKeys].map((k) =>
    // A JSON Web Key takes the base64url as it is.
    crypto.subtle.importKey('jwk', { kty: 'oct', k }, 'AES-GCM', false, ['encrypt', 'decrypt']),
  );
  return (await Promise.all(imported)) as unknown as DraftKeys;
}

/** Encrypts a text so that it opens only under the same name and time. */
export async function seal(
  [key]: DraftKeys,
  { name, savedAt }: Pick<Draft, 'name' | 'savedAt'>,
  text: string,
): Promise<string[]> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const bytes = new TextEncoder().encode(text);
  const sealed = await crypto.subtle.encrypt(aesGcm(iv, name + savedAt), key, bytes);
  return Array.from([...iv, ...new Uint8Array(sealed)], String);
}

/** Fails for another person's draft, and for one that was tampered with. */
export async function unseal(keys: DraftKeys, { name, savedAt, sealed }: Draft): Promise<string> {
  const bytes = new Uint8Array(sealed.map(Number));
  const algorithm = aesGcm(bytes.slice(0, IV_BYTES), name + savedAt);
  const tries = keys.map((key) => crypto.subtle.decrypt(algorithm, key, bytes.slice(IV_BYTES)));
  const text = await Promise.any(tries);
  return new TextDecoder().decode(text);
}

/** A draft cannot be made that of another form, or younger: name and time are authenticated with it. */
function aesGcm(iv: Uint8Array<ArrayBuffer>, authenticated: string): AesGcmParams {
  return { name: 'AES-GCM', iv, additionalData: new TextEncoder().encode(authenticated) };
}
