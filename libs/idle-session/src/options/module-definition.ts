import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { IdleSessionModuleExtras, IdleSessionModuleOptions } from './idle-session.options.js';

/** The checked options; what everything but the module itself is built on. */
export const RESOLVED_OPTIONS = Symbol('IdleSessionResolvedOptions');

/** How one import configures the module. */
export interface Configuration {
  readonly options: IdleSessionModuleOptions;
  readonly path: string | false;
}

export const CONFIGURATION = Symbol('IdleSessionConfiguration');

/** Of all imports that configure, the configuration that counts. */
export const COMMON_CONFIGURATION = Symbol('IdleSessionCommonConfiguration');

export const DEFAULT_PATH = 'idle-session';

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<IdleSessionModuleOptions>({ moduleName: 'IdleSession' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createIdleSessionOptions')
    .setExtras<IdleSessionModuleExtras>({ path: DEFAULT_PATH })
    .build();
