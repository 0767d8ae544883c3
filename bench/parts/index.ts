import type { Report } from '../support/report.js';

export interface PartOptions {
  /** How often everything is measured, where parts measure in turns. */
  readonly cycles?: number;
  /** How many sessions there are. */
  readonly sessions?: number;
  /** How often each hazard is tried. */
  readonly trials?: number;
}

interface Part {
  run(options: PartOptions): Promise<Report>;
}

/** In the order of the report. */
export const PARTS = {
  requests: () => import('./requests.js'),
  cpu: () => import('./cpu.js'),
  profile: () => import('./profile.js'),
  sessions: () => import('./sessions.js'),
  memory: () => import('./memory.js'),
  expiry: () => import('./expiry.js'),
  streams: () => import('./streams.js'),
  hazards: () => import('./hazards.js'),
  outages: () => import('./outages.js'),
  client: () => import('./client.js'),
} satisfies Record<string, () => Promise<Part>>;

export type PartName = keyof typeof PARTS;

export const isPartName = (name: string): name is PartName => Object.hasOwn(PARTS, name);
