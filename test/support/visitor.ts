import supertest from 'supertest';
import { setCookiesOf } from './cookies.js';

/** A browser without scripts, on several sites of one machine: it keeps cookies, follows redirects and sends forms. */
export class Visitor {
  /** Where it is. */
  url = '';
  html = '';
  status = 0;

  private readonly cookies = new Map<string, Map<string, string>>();

  /** @param servedBy the process that serves an origin, where there are several behind one address */
  constructor(private readonly servedBy: ReadonlyMap<string, string> = new Map()) {}

  /** @param mayFollow asked before each redirect */
  async visit(
    address: string,
    form?: Record<string, string>,
    mayFollow: (url: string) => boolean = () => true,
  ): Promise<void> {
    this.url = new URL(address, this.url || undefined).href;
    let body = form;
    for (;;) {
      const { origin, href } = new URL(this.url);
      const ask = supertest(this.servedBy.get(origin) ?? origin);
      const path = href.slice(origin.length);
      const request = body ? ask.post(path).type('form').send(body) : ask.get(path);
      const response = await request.set({ Accept: 'text/html', Cookie: this.cookieFor(origin) });
      this.keep(origin, setCookiesOf(response));
      this.html = response.text;
      this.status = response.status;
      const { location } = response.headers;
      if (!location) return;
      this.url = new URL(location, this.url).href;
      body = undefined;
      if (!mayFollow(this.url)) return;
    }
  }

  /** Sends the form of the page, with what it has hidden and what the person enters. */
  async send(
    entered: Record<string, string> = {},
    mayFollow?: (url: string) => boolean,
  ): Promise<void> {
    const [, action = ''] = /<form[^>]* action="([^"]+)"/.exec(this.html) ?? [];
    const hidden = this.html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g);
    const fields = Object.fromEntries(Array.from(hidden, ([, name, value]) => [name!, value!]));
    await this.visit(action, { ...fields, ...entered }, mayFollow);
  }

  cookieFor(origin: string): string {
    return Array.from(this.cookies.get(origin) ?? [], (pair) => pair.join('=')).join('; ');
  }

  private keep(origin: string, setCookies: string[]): void {
    const jar = this.cookies.get(origin) ?? new Map<string, string>();
    this.cookies.set(origin, jar);
    for (const cookie of setCookies) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (value) jar.set(name, value);
      else jar.delete(name);
    }
  }
}
