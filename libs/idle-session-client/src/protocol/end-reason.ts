/** Why a session ended: nobody was there, its absolute limit, the person signed out, or the server took it back. */
export type EndReason = 'idle' | 'absolute' | 'signed-out' | 'revoked';
