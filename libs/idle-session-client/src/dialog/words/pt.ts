import type { Words } from './words.js';

export const words: Words = {
  heading: 'A sua sessão será encerrada em breve',
  text: 'Para sua segurança, a sua sessão será encerrada em {time}.',
  fixed: 'A sua sessão não pode ser prolongada. Salve o seu trabalho agora.',
  left: 'Tempo restante: {time}',
  stay: 'Prolongar a sessão',
  continue: 'Continuar',
  'sign-out': 'Sair',
  unreachable: 'O serviço não responde',
  failed: 'O serviço não respondeu. Tente novamente.',
  locked: 'Para sua segurança, esta página foi bloqueada',
  'unlock-page': 'Desbloquear',
  kept: 'O seu trabalho continua aqui.',
  retry: 'Tentar novamente',
  ended: 'Para sua segurança, a sua sessão foi encerrada',
  'signed-out': 'A sua sessão foi encerrada',
};
