/* SPDX-License-Identifier: MIT */
/* vm_assist(cmd, type): small services that a domain may have or not. */

#ifndef ABI_ASSIST_H
#define ABI_ASSIST_H

#define VMASST_CMD_enable  0
#define VMASST_CMD_disable 1

/* Those of class pv; in class light nothing is there that they would change. */
#define VMASST_TYPE_4gb_segments        0
#define VMASST_TYPE_4gb_segments_notify 1
#define VMASST_TYPE_writable_pagetables 2
#define VMASST_TYPE_pae_extended_cr3    3
#define VMASST_TYPE_architectural_iopl                                         \
    4 /* IOPL in frames is the virtual one                                     \
       */
#define VMASST_TYPE_m2p_strict 32

/* RUNSTATE_UPDATE is set in a registered area while it is being written. */
#define VMASST_TYPE_runstate_update_flag 5

#endif /* ABI_ASSIST_H */
