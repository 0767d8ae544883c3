// A desk in a process of its own, for as long as the process that started it is there.
import { createClient } from 'redis';
import { closeApps } from './app.js';
import type { DeskOptions } from './desk-process.js';
import { openDesk } from './desk.js';

const { kind, redisUrl, idleTimeoutMs } = JSON.parse(process.argv[2] ?? '') as DeskOptions;
const client = createClient({ url: redisUrl });
client.on('error', () => {});
await client.connect();
const { socketPath } = await openDesk(kind, client, idleTimeoutMs);
process.on('disconnect', () => void closeApps().then(() => process.exit()));
process.send?.(socketPath);
