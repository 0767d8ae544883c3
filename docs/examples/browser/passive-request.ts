export async function fetchNews(): Promise<Response> {
  // #region fetch
  return fetch('/api/news', { headers: { 'Idle-Session': 'passive' } });
  // #endregion fetch
}
