#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# names.sh NM ARCHIVE: the archive offers names that begin with doorbell_ and no others, needs nothing
# but the C library, and has nothing of the driver core or of the simulated host inside. Exit 1 if not.
set -eu

nm=$1 archive=$2
status=0

fail() {
    echo "names: $1: $2" >&2
    status=1
}

offered=$("$nm" -g --defined-only "$archive" | awk 'NF == 3 { print $3 }' | sort -u)
[ -n "$offered" ] || fail "$archive" "offers nothing"
for name in $offered; do
    case $name in
    doorbell_*) ;;
    *) fail "$name" "offered, and not of <doorbell/device.h>" ;;
    esac
done

# Undefined names: what a C library has, and what sanitizers and position-independent code add.
allowed=" abort access calloc closedir exit fclose ferror fgets fopen fprintf fputc fputs fread free
fwrite getcontext getenv makecontext malloc memchr memcmp memcpy memmove memset open_memstream opendir
qsort readdir realloc setcontext siglongjmp __sigsetjmp snprintf stderr strchr strcmp strcspn strerror strlen strncmp strrchr
strspn strtol strtoul strtoull swapcontext tolower vfprintf vsnprintf putc putchar puts "
allowed=$(printf '%s' "$allowed" | tr '\n' ' ')
for name in $("$nm" -u "$archive" | awk 'NF == 2 { print $2 }' | sort -u); do
    case "$allowed" in
    *" $name "*) continue ;;
    esac
    case $name in
    _GLOBAL_OFFSET_TABLE_ | __assert_fail | __errno_location | __ctype_*_loc | __*_chk | __stack_chk_*) ;;
    __asan_* | __ubsan_* | __sanitizer_* | __isoc*) ;;
    *) fail "$name" "needed, and not of the C library" ;;
    esac
done

# Also as local names: the driver core's, the host's, the machine's and the workloads'.
for name in $("$nm" "$archive" | awk 'NF == 3 { print $3 }' | sort -u); do
    case $name in
    nvme_* | host_create | host_enumerate | host_platform | machine_* | os_create | adb_* | fs_*)
        fail "$name" "inside, and not of the controller" ;;
    esac
done
exit $status
