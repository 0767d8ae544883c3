import { generateKeyPairSync, sign } from 'node:crypto';

/** A TLS key and a certificate for it. No browser trusts it unless it is told to ignore that. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

const MINUTE_MS = 60_000;

/** Signs its own key, as X.509 of version 1 (RFC 5280, 4.1): valid for an hour around now. */
export function selfSigned(): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ecdsaWithSha256 = sequence(Buffer.from('06082a8648ce3d040302', 'hex'));
  const commonName = Buffer.from('0603550403', 'hex');
  const name = sequence(element(0x31, sequence(commonName, element(0x0c, Buffer.from('a test')))));
  const timeIn = (minutes: number) => utcTime(new Date(Date.now() + minutes * MINUTE_MS));
  const toBeSigned = sequence(
    element(0x02, Buffer.from([1])),
    ecdsaWithSha256,
    name,
    sequence(timeIn(-30), timeIn(30)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signature = Buffer.concat([Buffer.of(0), sign('sha256', toBeSigned, privateKey)]);
  const der = sequence(toBeSigned, ecdsaWithSha256, element(0x03, signature));
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`,
  };
}

const sequence = (...parts: Buffer[]) => element(0x30, Buffer.concat(parts));

const utcTime = (time: Date) =>
  element(0x17, Buffer.from(`${time.toISOString().slice(2, 19).replace(/\D/g, '')}Z`));

/** One element of DER (X.690): its tag, its length and its contents. */
function element(tag: number, contents: Buffer): Buffer {
  const { length } = contents;
  const long = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...(length < 0x80 ? [length] : long)]), contents]);
}
