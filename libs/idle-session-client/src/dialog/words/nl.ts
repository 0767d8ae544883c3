import type { Words } from './words.js';

export const words: Words = {
  heading: 'U wordt bijna uitgelogd',
  text: 'Voor uw veiligheid loggen we u over {time} uit.',
  fixed: 'Langer ingelogd blijven kan niet. Sla uw werk nu op.',
  left: 'Nog {time}',
  stay: 'Ingelogd blijven',
  continue: 'Doorgaan',
  'sign-out': 'Uitloggen',
  unreachable: 'De dienst is niet bereikbaar',
  failed: 'De dienst was niet bereikbaar. Probeer het opnieuw.',
  locked: 'Voor uw veiligheid hebben we deze pagina vergrendeld',
  'unlock-page': 'Ontgrendelen',
  kept: 'Uw werk is er nog.',
  retry: 'Opnieuw proberen',
  ended: 'Voor uw veiligheid hebben we u uitgelogd',
  'signed-out': 'U bent uitgelogd',
};
