import type { Words } from './words.js';

export const words: Words = {
  heading: 'A sua conta será desconectada em breve',
  text: 'Para sua segurança, a sua conta será desconectada em {time}.',
  fixed: 'Não é possível continuar por mais tempo. Salve o seu trabalho agora.',
  left: 'Restante: {time}',
  stay: 'Continuar conectado',
  continue: 'Continuar',
  'sign-out': 'Sair',
  unreachable: 'O serviço não responde',
  failed: 'O serviço não respondeu. Tente novamente.',
  locked: 'Para sua segurança, bloqueámos esta página',
  'unlock-page': 'Desbloquear',
  kept: 'O seu trabalho continua aqui.',
  retry: 'Tentar novamente',
  ended: 'Para sua segurança, a sua conta foi desconectada',
  'signed-out': 'Saiu da sua conta',
};
