import type { Words } from './words.js';

export const words: Words = {
  heading: 'Votre session va bientôt se fermer',
  text: 'Pour votre sécurité, nous fermerons votre session dans {time}.',
  fixed: 'Votre session ne peut pas être prolongée. Enregistrez votre travail maintenant.',
  left: 'Encore {time}',
  stay: 'Prolonger la session',
  continue: 'Continuer',
  'sign-out': 'Se déconnecter',
  unreachable: 'Le service ne répond pas',
  failed: 'Le service n’a pas répondu. Veuillez réessayer.',
  locked: 'Pour votre sécurité, nous avons verrouillé cette page',
  'unlock-page': 'Déverrouiller',
  kept: 'Votre travail est toujours là.',
  retry: 'Réessayer',
  ended: 'Pour votre sécurité, nous avons fermé votre session',
  'signed-out': 'Votre session est fermée',
};
