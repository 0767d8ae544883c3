import type { Words } from './words.js';

export const words: Words = {
  heading: 'Nous allons bientôt vous déconnecter',
  text: 'Pour votre sécurité, nous vous déconnecterons dans {time}.',
  fixed:
    'Il n’est pas possible de rester connecté plus longtemps. Enregistrez votre travail maintenant.',
  left: 'Encore {time}',
  stay: 'Rester connecté',
  continue: 'Continuer',
  'sign-out': 'Se déconnecter',
  unreachable: 'Le service ne répond pas',
  failed: 'Le service n’a pas répondu. Veuillez réessayer.',
  locked: 'Pour votre sécurité, nous avons verrouillé cette page',
  'unlock-page': 'Déverrouiller',
  kept: 'Votre travail est toujours là.',
  retry: 'Réessayer',
  ended: 'Pour votre sécurité, nous vous avons déconnecté',
  'signed-out': 'Vous êtes déconnecté',
};
