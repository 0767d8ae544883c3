declare module '*/idle-session/client.js' {
  export const idleSession: import('idle-session-client').IdleSession;
}
