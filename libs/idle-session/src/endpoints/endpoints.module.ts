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
import { EndpointChecks } from './endpoint-checks.js';
import { EndpointCors } from './endpoint-cors.js';
import { Endpoints } from './endpoints.js';
import { SessionsEndpoint } from './sessions-endpoint.js';

/**
 * Mounts the endpoints at the configured path, under the global prefix. It is no global module, so that Nest mounts them
 * after the middleware of the app's root module: that may set what `appliesTo` and `ownerOf` go by.
 */
@Module({
  providers: [ClientFiles, EndpointChecks, EndpointCors, Endpoints, SessionsEndpoint],
  exports: [ClientFiles],
})
export class EndpointsModule implements NestModule {
  constructor(
    private readonly endpoints: Endpoints,
    private readonly sessions: SessionsEndpoint,
    @Inject(COMMON_CONFIGURATION) private readonly configuration: Configuration,
  ) {}

  configure(consumer: MiddlewareConsumer): void {
    const { path, options } = this.configuration;
    if (path === false) return;
    if (options.sessionsEndpoint) {
      const paths = ['sessions', 'sessions/:ref'].map((name) => routeOf(`${path}/${name}`));
      consumer.apply(this.sessions.middleware).forRoutes(...paths);
    }
    // One route for all of them: Express holds the path of each request of the app against it.
    consumer.apply(this.endpoints.middleware).forRoutes(routeOf(`${path}/:endpoint`));
  }
}

function routeOf(path: string) {
  return {
    path,
    method: RequestMethod.ALL,
    version: VERSION_NEUTRAL as typeof VERSION_NEUTRAL,
  };
}
