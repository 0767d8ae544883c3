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
    if (loginUrl !== null) location.assign(`${loginUrl}?reason=${reason}`);
  });
  // #endregion events
  return prices;
}
