import type { Words } from './words.js';

export const words: Words = {
  heading: 'Tra poco ti disconnetteremo',
  text: 'Per la tua sicurezza, ti disconnetteremo tra {time}.',
  fixed: 'Non è possibile restare connessi più a lungo. Salva ora il tuo lavoro.',
  left: 'Ancora {time}',
  stay: 'Resta connesso',
  continue: 'Continua',
  'sign-out': 'Esci',
  unreachable: 'Il servizio non risponde',
  failed: 'Il servizio non ha risposto. Riprova.',
  locked: 'Per la tua sicurezza, abbiamo bloccato questa pagina',
  'unlock-page': 'Sblocca',
  kept: 'Il tuo lavoro è ancora qui.',
  retry: 'Riprova',
  ended: 'Per la tua sicurezza, ti abbiamo disconnesso',
  'signed-out': 'Hai effettuato l’uscita',
};
