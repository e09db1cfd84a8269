/* The parts that the phrase tables must have, by table; each list ends with NULL. */
#ifndef TERN_MINI_PARTS_H
#define TERN_MINI_PARTS_H

extern const char *const mini_word_parts[], *const mini_choice_parts[], *const mini_passage_parts[],
                                                                            *const mini_feelings[];

#endif
