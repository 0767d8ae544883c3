import type { NewSession } from 'nestjs-idle-session';

/** A session that starts, with no limit but its idle timeout. */
export const newSession = (idleTimeoutMs: number, sessionId = 'id'): NewSession => ({
  sessionId,
  idleTimeoutMs,
  absoluteTimeoutMs: null,
  lockAfterMs: null,
  owner: null,
});
