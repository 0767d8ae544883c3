import { defineIdleSessionDialog } from 'idle-session-client/element';
import { idleSession } from './session.js';

defineIdleSessionDialog(idleSession);
