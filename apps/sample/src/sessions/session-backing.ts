import type { Store } from 'express-session';
import type { ActivityStorage } from 'nestjs-idle-session';

/** Where sessions and their activity are kept; what is left out is in the memory of this one process. */
export abstract class SessionBacking {
  readonly store?: Store;
  readonly storage?: ActivityStorage;
}
