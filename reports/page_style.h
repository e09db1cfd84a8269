/* The page's style sheet: system fonts, light and dark, narrow screens. */
#ifndef TERN_REPORTS_PAGE_STYLE_H
#define TERN_REPORTS_PAGE_STYLE_H

extern const char tern_page_style[];

#endif
