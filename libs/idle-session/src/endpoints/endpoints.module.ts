import {
  Inject,
  Module,
  RequestMethod,
  VERSION_NEUTRAL,
  type MiddlewareConsumer,
  type NestModule,
} from '@nestjs/common';
import { COMMON_CONFIGURATION, type Configuration } from '../options/module-definition.js';
import { ClientFiles } from './client-files.js';
import { Endpoints } from './endpoints.js';

/**
 * Mounts the endpoints at the configured path, under the global prefix. It is no global module, so that Nest mounts them
 * after the middleware of the app's root module: that may set what `appliesTo` and `ownerOf` go by.
 */
@Module({ providers: [ClientFiles, Endpoints], exports: [ClientFiles] })
export class EndpointsModule implements NestModule {
  constructor(
    private readonly endpoints: Endpoints,
    @Inject(COMMON_CONFIGURATION) private readonly configuration: Configuration,
  ) {}

  configure(consumer: MiddlewareConsumer): void {
    const { path } = this.configuration;
    if (path === false) return;
    // One route for all of them: Express holds the path of each request of the app against it.
    const route = {
      path: `${path}/:endpoint`,
      method: RequestMethod.ALL,
      version: VERSION_NEUTRAL as typeof VERSION_NEUTRAL,
    };
    consumer.apply(this.endpoints.middleware).forRoutes(route);
  }
}
