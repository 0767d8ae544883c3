import { Controller, Get } from '@nestjs/common';
import { SkipIdleSession } from 'nestjs-idle-session';

@Controller('health')
@SkipIdleSession()
export class HealthController {
  @Get()
  check() {
    return { status: 'ok' };
  }
}
