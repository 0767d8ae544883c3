import { idleSession } from 'idle-session-client/vue';
import { createApp } from 'vue';
import App from './App.vue';

idleSession.configure({ path: '/idle-session' });

createApp(App).mount('#root');
