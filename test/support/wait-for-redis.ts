import { Logger } from '@nestjs/common';
import type { TestingModuleBuilder } from '@nestjs/testing';
import {
  COMMON_CONFIGURATION,
  RESOLVED_OPTIONS,
  type Configuration,
} from '../../libs/idle-session/src/options/module-definition.js';
import { resolveConfiguration } from '../../libs/idle-session/src/options/resolve-options.js';
import { flushed } from './patient.js';

/** Has an app whose options are as a document shows them wait for a Redis that a busy machine holds up. */
export function waitForRedis(builder: TestingModuleBuilder): TestingModuleBuilder {
  return builder.overrideProvider(RESOLVED_OPTIONS).useFactory({
    inject: [COMMON_CONFIGURATION],
    factory: ({ options, path }: Configuration) => {
      const flush = options.storage?.flush?.bind(options.storage);
      if (flush) options.storage!.flush = () => flushed(flush);
      const waiting = { ...options, storageTimeout: '20s' } as const;
      return resolveConfiguration({ options: waiting, path }, new Logger('IdleSessionModule'));
    },
  });
}
