import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { metrics, type BatchObservableResult } from '@opentelemetry/api';
import { IdleSessionService, type IdleSessionEvent } from 'nestjs-idle-session';

// #region metrics
const CHANNEL = 'nestjs-idle-session:event';

@Injectable()
export class SessionMeter implements OnModuleInit, OnModuleDestroy {
  private readonly meter = metrics.getMeter('claims-desk');
  private readonly starts = this.meter.createCounter('idle_session.starts');
  private readonly ends = this.meter.createCounter('idle_session.ends');
  private readonly active = this.meter.createObservableGauge('idle_session.active');
  private readonly open = this.meter.createObservableGauge('idle_session.open');
  private readonly isUp = this.meter.createObservableGauge('idle_session.storage.up');
  private readonly latency = this.meter.createObservableGauge('idle_session.storage.latency', {
    unit: 's',
  });
  private readonly gauges = [this.active, this.open, this.isUp, this.latency];

  constructor(private readonly sessions: IdleSessionService) {}

  onModuleInit(): void {
    subscribe(CHANNEL, this.count);
    this.meter.addBatchObservableCallback(this.observe, this.gauges);
  }

  onModuleDestroy(): void {
    unsubscribe(CHANNEL, this.count);
    this.meter.removeBatchObservableCallback(this.observe, this.gauges);
  }

  private readonly count = (message: unknown): void => {
    const event = message as IdleSessionEvent;
    // The process that ended the session counts it.
    if (event.cause === 'elsewhere') return;
    const reason = 'reason' in event ? event.reason : undefined;
    // After a confirm the session goes on under a new id: neither an end nor a start.
    if (reason === 'confirmed' || 'previousRef' in event) return;
    if (event.type === 'started') this.starts.add(1);
    else if (reason) this.ends.add(1, { reason, cause: event.cause });
  };

  private readonly observe = async (result: BatchObservableResult): Promise<void> => {
    const { active, open, storage } = await this.sessions.stats();
    if (active !== null) result.observe(this.active, active);
    result.observe(this.open, open);
    result.observe(this.isUp, storage.isAvailable ? 1 : 0);
    if (storage.latencyMs !== null) result.observe(this.latency, storage.latencyMs / 1000);
  };
}
// #endregion metrics
