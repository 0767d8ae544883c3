// Says times where the person is: the server knows them in UTC only.
const format = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });

for (const time of document.querySelectorAll('time')) {
  time.textContent = format.format(new Date(time.dateTime));
}
