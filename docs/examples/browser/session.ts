import { createIdleSession } from 'idle-session-client';

export const idleSession = createIdleSession({ path: '/idle-session' });
