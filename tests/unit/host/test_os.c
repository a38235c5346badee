#include "unit/host/suites.h"
Suite *suite_os(void)
{
    return suite_create("os");
}
