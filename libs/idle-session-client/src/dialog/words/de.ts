import type { Words } from './words.js';

export const words: Words = {
  heading: 'Sie werden gleich abgemeldet',
  text: 'Zu Ihrer Sicherheit melden wir Sie in {time} ab.',
  fixed: 'Länger können Sie nicht angemeldet bleiben. Bitte speichern Sie jetzt Ihre Arbeit.',
  left: 'Noch {time}',
  stay: 'Angemeldet bleiben',
  continue: 'Weiter',
  'sign-out': 'Abmelden',
  unreachable: 'Der Dienst ist nicht erreichbar',
  failed: 'Der Dienst war nicht erreichbar. Bitte versuchen Sie es erneut.',
  locked: 'Zu Ihrer Sicherheit haben wir diese Seite gesperrt',
  'unlock-page': 'Entsperren',
  kept: 'Ihre Arbeit ist noch da.',
  retry: 'Erneut versuchen',
  ended: 'Zu Ihrer Sicherheit haben wir Sie abgemeldet',
  'signed-out': 'Sie sind abgemeldet',
};
