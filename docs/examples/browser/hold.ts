import { idleSession } from './session.js';

export function watch(video: HTMLVideoElement): void {
  // #region video
  let release = () => {};
  video.addEventListener('play', () => {
    release();
    release = idleSession.hold('video');
  });
  video.addEventListener('pause', () => release());
  // #endregion video
}

// #region upload
export async function upload(file: Blob): Promise<Response> {
  const release = idleSession.hold('upload');
  try {
    return await fetch('/files', { method: 'POST', body: file });
  } finally {
    release();
  }
}
// #endregion upload
