import type { AddressInfo } from 'node:net';
import { Logger } from '@nestjs/common';
import { createApp } from './create-app.js';
import { readSettings } from './settings.js';
import { StderrLogger } from './stderr-logger.js';

Logger.overrideLogger(new StderrLogger());

const settings = readSettings(process.env);
const app = await createApp(settings);
app.enableShutdownHooks();

const server = await app.listen(settings.port);
const { port } = server.address() as AddressInfo;
console.log(`Claims desk on http://localhost:${port}`);
