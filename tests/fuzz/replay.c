/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Runs the inputs in files, without libFuzzer: replay FILE... Exit 0 if all ran; a finding aborts.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define INPUT_BYTES_MAX 65536u

/* Of the fuzzer that this is linked with. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
    static uint8_t bytes[INPUT_BYTES_MAX];

    if (argc < 2) {
        fprintf(stderr, "usage: replay FILE...\n");
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        size_t count;

        if (file == NULL) {
            fprintf(stderr, "replay: cannot read %s\n", argv[i]);
            return 2;
        }
        count = fread(bytes, 1, sizeof bytes, file);
        fclose(file);
        if (getenv("REPLAY_VERBOSE") != NULL)
            fprintf(stderr, "%s\n", argv[i]);
        LLVMFuzzerTestOneInput(bytes, count);
    }
    printf("%d inputs\n", argc - 1);
    return 0;
}
