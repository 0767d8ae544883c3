import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import hbs from 'hbs';
import { AppModule } from './app.module.js';
import { securityHeaders } from './security-headers.js';
import type { SessionBacking } from './sessions/session-backing.js';
import type { Settings } from './settings.js';

const VIEWS = join(import.meta.dirname, '../views');
const PUBLIC = join(import.meta.dirname, '../public');

/** The whole app, not yet listening. Tests bring a `backing` of their own. */
export async function createApp(
  settings: Settings,
  backing?: SessionBacking,
): Promise<NestExpressApplication> {
  return setUp(await NestFactory.create(AppModule.register(settings, backing)));
}

/** What an app made in another way needs too, such as one from `Test.createTestingModule()`. */
function setUp(app: NestExpressApplication): NestExpressApplication {
  hbs.registerPartials(join(VIEWS, 'partials'));
  return app
    .useSecurityHeaders(securityHeaders)
    .enableCsrfProtection()
    .useStaticAssets(PUBLIC)
    .setBaseViewsDir(VIEWS)
    .setViewEngine('hbs');
}
