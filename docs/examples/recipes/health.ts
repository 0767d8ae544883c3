import { Controller, Get, Injectable, Module } from '@nestjs/common';
import {
  HealthCheck,
  HealthCheckService,
  HealthIndicatorService,
  TerminusModule,
} from '@nestjs/terminus';
import { IdleSessionService, SkipIdleSession } from 'nestjs-idle-session';

// #region health
@Injectable()
export class SessionStorageIndicator {
  constructor(
    private readonly sessions: IdleSessionService,
    private readonly indicators: HealthIndicatorService,
  ) {}

  async check() {
    const indicator = this.indicators.check('idle-session');
    const { storage } = await this.sessions.stats();
    return storage.isAvailable ? indicator.up() : indicator.down();
  }
}

@Controller('health/ready')
@SkipIdleSession()
export class ReadinessController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly storage: SessionStorageIndicator,
  ) {}

  @Get()
  @HealthCheck()
  check() {
    return this.health.check([() => this.storage.check()]);
  }
}

@Module({
  imports: [TerminusModule],
  controllers: [ReadinessController],
  providers: [SessionStorageIndicator],
})
export class HealthModule {}
// #endregion health
