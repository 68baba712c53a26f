/*
 * A QEMU plug-in that counts the guest's executed instructions.
 *
 * Loaded by "qemu-aarch64 -plugin insn_count.so,out=FILE". The guest takes a reading by closing
 * the file descriptor MARK, which is never open: the call fails and changes nothing, and the total
 * up to it is appended to FILE as one decimal line. So a guest can tell its measured part from the
 * loading around it, and one process gives several readings. The total at exit is the last line.
 *
 * A block of instructions is counted as it is entered; at a system call, which ends its block, the
 * total is therefore exact. Each thread counts for itself and a reading is the sum.
 */

#include <stdio.h>
#include <string.h>

#include <qemu-plugin.h>

#define MARK 987654321u /* fa_mobile/bench/arm_guest.py closes it */
#define AARCH64_CLOSE 57

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

static qemu_plugin_u64 executed;
static FILE *out;

static void append_total(void)
{
    fprintf(out, "%llu\n", (unsigned long long)qemu_plugin_u64_sum(executed));
    fflush(out);
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *block)
{
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(
        block, QEMU_PLUGIN_INLINE_ADD_U64, executed, qemu_plugin_tb_n_insns(block));
}

static void on_syscall(qemu_plugin_id_t id, unsigned int vcpu, int64_t number, uint64_t fd,
                       uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6,
                       uint64_t a7, uint64_t a8)
{
    (void)id, (void)vcpu, (void)a2, (void)a3, (void)a4, (void)a5, (void)a6, (void)a7, (void)a8;
    if (number == AARCH64_CLOSE && (uint32_t)fd == MARK) {
        append_total();
    }
}

static void at_end(qemu_plugin_id_t id, void *data)
{
    (void)id, (void)data;
    append_total();
    fclose(out);
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
                                           char **argv)
{
    if (strcmp(info->target_name, "aarch64") != 0 || argc != 1 || strncmp(argv[0], "out=", 4)) {
        fprintf(stderr, "insn_count: an aarch64 guest and one argument are needed: out=FILE\n");
        return 1;
    }
    out = fopen(argv[0] + 4, "w");
    if (out == NULL) {
        perror(argv[0] + 4);
        return 1;
    }
    executed = qemu_plugin_scoreboard_u64(qemu_plugin_scoreboard_new(sizeof(uint64_t)));
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    qemu_plugin_register_vcpu_syscall_cb(id, on_syscall);
    qemu_plugin_register_atexit_cb(id, at_end, NULL);
    return 0;
}
