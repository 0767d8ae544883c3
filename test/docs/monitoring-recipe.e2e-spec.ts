import { describe, expect, it } from '@jest/globals';
import { metrics } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import supertest from 'supertest';
import { HealthModule } from '../../docs/examples/recipes/health.js';
import { SessionMeter } from '../../docs/examples/recipes/metrics.js';
import { OpenSessions } from '../../libs/idle-session/src/session/open/open-sessions.js';
import { ConfirmController } from '../support/confirm-controller.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { MINUTE } from '../support/test-app.js';
import { testApps } from '../support/test-apps.js';
import { until } from '../support/until.js';

const start = testApps();

describe('docs/recipes/monitoring.md', () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });

  /** What the exporter is given: each metric's values, by their attributes. */
  async function collect(): Promise<Record<string, [attributes: object, value: unknown][]>> {
    exporter.reset();
    await reader.forceFlush();
    const scopes = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics);
    return Object.fromEntries(
      scopes
        .flatMap(({ metrics: of }) => of)
        .map(({ descriptor, dataPoints }) => [
          descriptor.name.replace(/^idle_session\./, ''),
          dataPoints.map(({ attributes, value }) => [attributes, value]),
        ]),
    );
  }

  it('starts and ends are counted by reason, and what is alive, open and away is observed', async () => {
    metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
    const { clock, events, signedIn, storage } = await start({
      metadata: { providers: [SessionMeter], controllers: [ConfirmController] },
    });
    const [ada, bob] = [await signedIn(), await signedIn()];
    await signedIn();
    // Another app on the same storage and the same channel, as another process would be: it learns of the end.
    const other = await start({ options: { storage } });
    other.app.get(OpenSessions).hold({ ref: events[1]!.sessionRef, hasRecord: true }, () => {});
    // Who confirms goes on, under a new id.
    await ada.post('/confirm').expect(200);
    await bob.post('/sign-out').expect(204);
    await until('the other app learned it', () => other.events.length > 0);
    expect(await collect()).toMatchObject({ starts: [[{}, 3]], active: [[{}, 2]] });

    clock.advance(15 * MINUTE);
    await ada.get('/page').expect(401);
    expect(await collect()).toEqual({
      starts: [[{}, 3]],
      ends: [
        [{ reason: 'signed-out', cause: 'store' }, 1],
        [{ reason: 'idle', cause: 'request' }, 1],
      ],
      active: [[{}, 1]],
      open: [[{}, 0]],
      'storage.up': [[{}, 1]],
      'storage.latency': [[{}, expect.any(Number)]],
    });
  });

  it('the health check is 503 while the storage is away, and asks for no session', async () => {
    const { app, storage, signedIn } = await start({
      metadata: { imports: [HealthModule] },
      logger: new RecordingLogger(),
    });
    const probe = () => supertest(app.getHttpServer()).get('/health/ready');
    const up = await probe().expect(200);
    expect(up.body).toMatchObject({ details: { 'idle-session': { status: 'up' } } });
    const ada = await signedIn();
    const away = () => Promise.reject(new Error('connect ECONNREFUSED redis.internal:6379'));
    storage.read = storage.count = away;
    await ada.get('/page').expect(503);
    const down = await probe().expect(503);
    expect(down.body.details).toEqual({ 'idle-session': { status: 'down' } });
  });
});
