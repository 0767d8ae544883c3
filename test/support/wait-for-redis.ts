import { Logger } from '@nestjs/common';
import type { TestingModuleBuilder } from '@nestjs/testing';
import type { ActivityStorage } from 'nestjs-idle-session';
import {
  COMMON_CONFIGURATION,
  RESOLVED_OPTIONS,
  type Configuration,
} from '../../libs/idle-session/src/options/module-definition.js';
import { resolveConfiguration } from '../../libs/idle-session/src/options/resolve-options.js';
import { until } from './until.js';

/** Has an app whose options are as a document shows them wait for a Redis that a busy machine holds up. */
export function waitForRedis(builder: TestingModuleBuilder): TestingModuleBuilder {
  return builder.overrideProvider(RESOLVED_OPTIONS).useFactory({
    inject: [COMMON_CONFIGURATION],
    factory: ({ options, path }: Configuration) => {
      if (options.storage) sendAgain(options.storage);
      const patient = { ...options, storageTimeout: '20s' } as const;
      return resolveConfiguration({ options: patient, path }, new Logger('IdleSessionModule'));
    },
  });
}

/** Has `flush()` of a storage send again what Redis has not taken within its second. */
function sendAgain(storage: ActivityStorage): void {
  const flush = storage.flush?.bind(storage);
  if (!flush) return;
  const isSent = () =>
    flush().then(
      () => true,
      () => false,
    );
  storage.flush = async () => void (await until('all is sent', isSent));
}
