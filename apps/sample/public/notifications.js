// Keeps the list current while the page is open. The server does not take these requests for activity.
const list = document.getElementById('notifications');
const timer = setInterval(() => void refresh(), 30_000);

async function refresh() {
  const response = await fetch('/api/notifications').catch(() => undefined);
  if (response?.status === 401) clearInterval(timer);
  if (!response?.ok) return;
  const { notifications } = await response.json();
  list?.replaceChildren(
    ...notifications.map((/** @type {{ text: string }} */ { text }) => {
      const item = document.createElement('li');
      item.textContent = text;
      return item;
    }),
  );
}
