/** All there are, for what a browser is told. */
export const END_REASONS = ['idle', 'absolute', 'signed-out', 'revoked', 'lost'] as const;

/**
 * Why a session ended: the person did nothing for too long, its absolute limit, the person signed out, the server took it
 * back, or the server lost track of it and cannot say.
 */
export type EndReason = (typeof END_REASONS)[number];
