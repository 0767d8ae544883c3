import type { Words } from './words.js';

export const words: Words = {
  heading: 'Su sesión se cerrará en breve',
  text: 'Por su seguridad, cerraremos su sesión en {time}.',
  fixed: 'Su sesión no se puede prolongar más. Guarde su trabajo ahora.',
  left: 'Tiempo restante: {time}',
  stay: 'Prolongar la sesión',
  continue: 'Continuar',
  'sign-out': 'Cerrar sesión',
  unreachable: 'El servicio no responde',
  failed: 'El servicio no ha respondido. Inténtelo de nuevo.',
  locked: 'Por su seguridad, hemos bloqueado esta página',
  'unlock-page': 'Desbloquear',
  kept: 'Su trabajo sigue aquí.',
  retry: 'Intentar de nuevo',
  ended: 'Por su seguridad, hemos cerrado su sesión',
  'signed-out': 'Ha cerrado la sesión',
};
