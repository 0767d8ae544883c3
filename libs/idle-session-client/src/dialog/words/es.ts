import type { Words } from './words.js';

export const words: Words = {
  heading: 'Le desconectaremos en breve',
  text: 'Por su seguridad, le desconectaremos en {time}.',
  fixed: 'No es posible seguir conectado más tiempo. Guarde su trabajo ahora.',
  left: 'Restante: {time}',
  stay: 'Seguir conectado',
  continue: 'Continuar',
  'sign-out': 'Salir',
  unreachable: 'El servicio no responde',
  failed: 'El servicio no ha respondido. Inténtelo de nuevo.',
  locked: 'Por su seguridad, hemos bloqueado esta página',
  'unlock-page': 'Desbloquear',
  kept: 'Su trabajo sigue aquí.',
  retry: 'Intentar de nuevo',
  ended: 'Por su seguridad, le hemos desconectado',
  'signed-out': 'Ha salido',
};
