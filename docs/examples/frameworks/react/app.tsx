import { IdleSessionDialog, useIdleSession } from 'idle-session-client/react';

export function SessionStatus() {
  const { state, failed, signOut } = useIdleSession();
  return (
    <div>
      <p role="status">Your session: {state}</p>
      <button onClick={() => void signOut()}>Sign out</button>
      {failed && <p role="alert">The server could not be reached. Please try again.</p>}
    </div>
  );
}

export function App() {
  return (
    <>
      <SessionStatus />
      <IdleSessionDialog stay="I am here" />
    </>
  );
}
