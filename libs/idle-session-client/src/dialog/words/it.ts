import type { Words } from './words.js';

export const words: Words = {
  heading: 'La tua sessione sta per terminare',
  text: 'Per la tua sicurezza, chiuderemo la sessione tra {time}.',
  fixed: 'La sessione non può durare più a lungo. Salva ora il tuo lavoro.',
  left: 'Ancora {time}',
  stay: 'Prolunga la sessione',
  continue: 'Continua',
  'sign-out': 'Esci',
  unreachable: 'Il servizio non risponde',
  failed: 'Il servizio non ha risposto. Riprova.',
  locked: 'Per la tua sicurezza, abbiamo bloccato questa pagina',
  'unlock-page': 'Sblocca',
  kept: 'Il tuo lavoro è ancora qui.',
  retry: 'Riprova',
  ended: 'Per la tua sicurezza, abbiamo chiuso la sessione',
  'signed-out': 'Hai chiuso la sessione',
};
