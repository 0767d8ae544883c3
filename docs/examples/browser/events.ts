export function watchPrices(show: (price: number) => void): EventSource {
  // #region events
  const prices = new EventSource('/prices');
  prices.addEventListener('message', ({ data }: MessageEvent<string>) => {
    const { price } = JSON.parse(data) as { price: number };
    show(price);
  });
  prices.addEventListener('session-ended', ({ data }: MessageEvent<string>) => {
    // It would connect again otherwise, and be refused.
    prices.close();
    const { reason, loginUrl } = JSON.parse(data) as { reason: string; loginUrl: string | null };
    if (loginUrl === null) return;
    const loginPage = new URL(loginUrl, location.href);
    loginPage.searchParams.set('reason', reason);
    location.assign(loginPage);
  });
  // #endregion events
  return prices;
}
