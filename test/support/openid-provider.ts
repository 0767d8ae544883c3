import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWTPayload } from 'jose';
import type { ClientMetadata } from 'oidc-provider';
import { keepConnections } from './keep-connections.js';

/** A provider of this process, on loopback. Any name signs in, with any password. */
export class OpenIdProvider {
  private constructor(
    readonly issuer: string,
    /** What went wrong with the logout tokens that it sent. */
    readonly failures: Error[],
    private readonly server: Server,
    private readonly key: CryptoKey,
  ) {}

  static async start(client: ClientMetadata): Promise<OpenIdProvider> {
    let listener: RequestListener | undefined;
    const server = createServer((request, response) => listener!(request, response));
    keepConnections(server);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { privateKey } = await generateKeyPair('RS256', { extractable: true });
    // When it is loaded, it warns of any Node.js before 22.
    const { Provider } = await import('oidc-provider');
    const provider = new Provider(issuer, {
      clients: [client],
      jwks: { keys: [{ ...(await exportJWK(privateKey)), kid: KEY_ID, alg: 'RS256', use: 'sig' }] },
      cookies: { keys: ['signs its cookies'] },
      features: { backchannelLogout: { enabled: true }, devInteractions: { enabled: true } },
      // By default it calls no address of this machine, and gives up a call after 2.5 seconds.
      fetch: (url, options) =>
        fetch(url, { ...options, dispatcher: undefined, signal: null } as RequestInit),
    });
    const failures: Error[] = [];
    provider.on('backchannel.error', (_, error) => failures.push(error));
    const callback = provider.callback();
    listener = (request, response) => void callback(request, response);
    return new OpenIdProvider(issuer, failures, server, privateKey);
  }

  /** As its own tokens are signed, or with a key that is not its own. */
  sign(payload: JWTPayload, key: CryptoKey = this.key): Promise<string> {
    const header = { alg: 'RS256', kid: KEY_ID, typ: 'logout+jwt' };
    return new SignJWT(payload).setProtectedHeader(header).sign(key);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}

const KEY_ID = 'the only one';
