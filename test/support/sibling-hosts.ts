import { request as forward, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { INestApplication } from '@nestjs/common';
import type { Browser, BrowserContext } from 'playwright-core';
import { launchBrowser } from './browser.js';
import { selfSigned } from './certificate.js';
import { keepConnections } from './keep-connections.js';

/** What a host of pages answers, by the path. */
export type Pages = (path: string) => { readonly type: string; readonly body: string };

/** No page needs more than its own host, and the API. */
const CSP =
  "default-src 'none'; script-src 'self' https://api.example.com; connect-src https:; form-action 'self'; require-trusted-types-for 'script'";

/**
 * Hosts on https in a browser that blocks third-party cookies. A proxy ends TLS in front of apps; the other hosts have
 * pages.
 */
export class SiblingHosts {
  /** The cookies that hosts of pages were sent. */
  readonly cookiesOfPages: string[] = [];
  /** What apps were asked, with the status that they answered. */
  readonly answered: string[] = [];
  private readonly apps = new Map<string, number>();
  private browser!: Browser;
  private readonly server: Server;

  private constructor(private readonly pages: Pages) {
    this.server = createServer(selfSigned(), (request, response) => {
      const port = this.apps.get(request.headers.host ?? '');
      if (port === undefined) this.answerPage(request, response);
      else this.passOn(request, response, port);
    });
    keepConnections(this.server);
  }

  /** @param domains whose hosts are served, such as `*.example.com` */
  static async start(domains: readonly string[], pages: Pages): Promise<SiblingHosts> {
    const hosts = new SiblingHosts(pages);
    await new Promise<void>((resolve) => hosts.server.listen(0, '127.0.0.1', resolve));
    const { port } = hosts.server.address() as AddressInfo;
    const rules = domains.map((domain) => `MAP ${domain} 127.0.0.1:${port}`);
    hosts.browser = await launchBrowser([
      `--host-resolver-rules=${rules.join(',')}`,
      '--test-third-party-cookie-phaseout',
    ]);
    return hosts;
  }

  /** Serves an app, which listens, under a host. */
  serve(host: string, app: INestApplication): void {
    this.apps.set(host, (app.getHttpServer().address() as AddressInfo).port);
  }

  visit(): Promise<BrowserContext> {
    return this.browser.newContext({ ignoreHTTPSErrors: true });
  }

  async close(): Promise<void> {
    await this.browser?.close();
    this.server.closeAllConnections();
    this.server.close();
  }

  private answerPage(request: IncomingMessage, response: ServerResponse): void {
    this.cookiesOfPages.push(request.headers.cookie ?? '');
    const { type, body } = this.pages(new URL(request.url ?? '/', 'https://page').pathname);
    response.writeHead(200, { 'Content-Type': type, 'Content-Security-Policy': CSP }).end(body);
  }

  private passOn(request: IncomingMessage, response: ServerResponse, port: number): void {
    const { method, url, headers } = request;
    const forwarded = { ...headers, 'X-Forwarded-Proto': 'https' };
    const asked = forward({ port, method, path: url, headers: forwarded }, (answer) => {
      const { statusCode = 502 } = answer;
      this.answered.push(`${method} ${url} ${statusCode}`);
      response.writeHead(statusCode, answer.headers);
      answer.pipe(response);
    });
    asked.on('error', () => response.destroy());
    request.pipe(asked);
  }
}
