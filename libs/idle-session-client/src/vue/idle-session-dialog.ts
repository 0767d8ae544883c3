import { defineComponent, h, onMounted, shallowRef, type Component } from 'vue';
import {
  defineIdleSessionDialog,
  type IdleSessionDialogElement,
} from '../dialog/idle-session-dialog.js';
import { idleSession } from '../session/page-session.js';

/**
 * `<idle-session-dialog>` for the session of the page. Once, where it stays mounted as long as the app. Attributes,
 * listeners and the default slot are those of the element.
 */
export const IdleSessionDialog: Component = /* @__PURE__ */ defineComponent({
  name: 'IdleSessionDialog',
  setup(_props, { slots }) {
    const element = shallowRef<IdleSessionDialogElement>();
    onMounted(() => {
      defineIdleSessionDialog(idleSession);
      // Defined by another module, it may show another session.
      if (element.value!.session !== idleSession) element.value!.session = idleSession;
    });
    return () => h('idle-session-dialog', { ref: element }, slots.default?.());
  },
});
