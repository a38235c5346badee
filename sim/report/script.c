/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The frame of every gnuplot script; see script.h. Running gnuplot is in gnuplot.c.
 */
#include "report/script.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "report/gnuplot.h"

/* Okabe and Ito's colours, which people with the common kinds of colour blindness can tell apart.
 */
static const char *const palette[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                      "#e69f00", "#56b4e9", "#000000", "#8c6d00"};
#define COLOURS (sizeof(palette) / sizeof(palette[0]))

void script_slug(char slug[SCRIPT_SLUG_MAX], const char *name)
{
    size_t i = 0;

    for (; name[i] && i < SCRIPT_SLUG_MAX - 1; i++)
        slug[i] = isalnum((unsigned char)name[i]) ? (char)tolower((unsigned char)name[i]) : '-';
    slug[i] = '\0';
}

int script_directory(const char *directory, char message[REPORT_MESSAGE_MAX])
{
    if (mkdir(directory, 0777) == 0 || errno == EEXIST)
        return 0;
    snprintf(message, REPORT_MESSAGE_MAX, "cannot make directory %.900s: %s", directory,
             strerror(errno));
    return -1;
}

int script_open(struct outfile *out, const char *directory, const char *slug, const char *extension,
                char message[REPORT_MESSAGE_MAX])
{
    char path[OUTFILE_PATH_MAX];
    const int length = snprintf(path, sizeof(path), "%s/%s.%s", directory, slug, extension);

    if (length < 0 || (size_t)length >= sizeof(path)) {
        snprintf(message, REPORT_MESSAGE_MAX, "the name of the plot directory is too long");
        return -1;
    }
    return outfile_open(out, path, message);
}

void script_quote(FILE *file, const char *text)
{
    putc('"', file);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            putc('\\', file);
        putc((unsigned char)*text < ' ' ? ' ' : *text, file);
    }
    putc('"', file);
}

const char *script_colour(size_t i)
{
    return palette[i % COLOURS];
}

unsigned script_dash(size_t i)
{
    return i < COLOURS ? 1u : 2u;
}

unsigned script_point(size_t i)
{
    return 5u + 2u * (unsigned)(i % 4);
}

void script_head(FILE *file, const char *slug, const char *title)
{
    fprintf(file, "# gnuplot script; run it in this directory\ndata = \"%s.dat\"\n", slug);
    fputs("if (!exists(\"ending\")) ending = \"\"\n", file);
    fputs("set encoding utf8\nset title ", file);
    script_quote(file, title);
    fputs(" font \",16\"\nset border 3 linecolor rgb \"#404040\"\nset tics nomirror\n"
          "set grid ytics linecolor rgb \"#d8d8d8\" linetype 1 linewidth 1\n",
          file);
}

void script_log_axis(FILE *file)
{
    /* Room at the ends, or rounding costs the last mark its label. */
    fputs("set logscale x 2\nset offsets graph 0.01, graph 0.01, graph 0.08, 0\n", file);
}

void script_curve(FILE *file, size_t i, const char *with, const char *title)
{
    fprintf(file,
            "%s  data index %zu using 1:2 with %s linewidth 2.5 pointsize 1.1 dashtype %u "
            "pointtype %u linecolor rgb \"%s\" title ",
            i ? ", \\\n" : "", i, with, script_dash(i), script_point(i), script_colour(i));
    script_quote(file, title);
}

void script_images(FILE *file, const char *slug)
{
    fprintf(file,
            "set terminal pngcairo noenhanced size 1200,750 font \"Sans,14\" background "
            "rgb \"white\"\nset output \"%s.png\".ending\n",
            slug);
}

void script_images_again(FILE *file, const char *slug)
{
    fprintf(file,
            "set terminal svg noenhanced size 1000,625 font \"Sans,14\" background "
            "rgb \"white\"\nset output \"%s.svg\".ending\nreplot\nset output\n",
            slug);
}

int script_run(const char *directory, const char *slug, char message[REPORT_MESSAGE_MAX])
{
    static const char *const images[] = {"png", "svg"};

    return gnuplot_run(directory, slug, images, sizeof(images) / sizeof(images[0]), message);
}
