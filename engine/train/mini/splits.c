/* What is drawn how often. Shares of training follow what a small model needs
 * to meet: word problems are half of the tokens; drills, a few tokens each, are a
 * fifth, because sums and differences take hundreds of thousands of examples. */
#include <stddef.h>

#include "engine/train/mini/splits.h"

const mini_split mini_train_splits[] = {
    {"word", "train", mini_make_word, 0, 160},
    {"drill", "train", mini_make_drill, 0, 610},
    {"choice", "train", mini_make_choice, 0, 55},
    {"reverse", "train", mini_make_choice, MINI_REVERSED, 20},
    {"letters", "train", mini_make_choice, MINI_LETTERS, 20},
    {"state", "train", mini_make_state, 0, 8},
    {"copy", "train", mini_make_copy, 0, 15},
    {"recall", "train", mini_make_recall, 0, 55},
    {"yesno", "train", mini_make_yesno, 0, 25},
    {"ending", "train", mini_make_ending, 0, 20},
    {"shots", "train", mini_make_shots, 0, 3},
    {"story", "train", mini_make_story, 0, 9},
    {NULL, NULL, NULL, 0, 0},
};

const mini_split mini_test_splits[] = {
    {"word", "tuples", mini_make_word, 0, 400},
    {"word", "compositions", mini_make_word, MINI_NEW_COMPOSITION, 400},
    {"word", "templates", mini_make_word, MINI_NEW_PHRASES, 400},
    {"drill", "pairs", mini_make_drill, 0, 400},
    {"choice", "facts", mini_make_choice, MINI_NEW_FACTS, 400},
    {"choice", "phrasings", mini_make_choice, MINI_NEW_PHRASES, 400},
    {"reverse", "facts", mini_make_choice, MINI_NEW_FACTS | MINI_REVERSED, 300},
    {"letters", "facts", mini_make_choice, MINI_NEW_FACTS | MINI_LETTERS, 300},
    {"letters", "phrasings", mini_make_choice, MINI_NEW_PHRASES | MINI_LETTERS, 300},
    {"recall", "passages", mini_make_recall, 0, 300},
    {"yesno", "passages", mini_make_yesno, MINI_NEW_FACTS, 480},
    {"yesno", "phrasings", mini_make_yesno, MINI_NEW_FACTS | MINI_NEW_PHRASES, 480},
    {"ending", "passages", mini_make_ending, 0, 400},
    {"ending", "phrasings", mini_make_ending, MINI_NEW_PHRASES, 400},
    {"shots", "tuples", mini_make_shots, 0, 200},
    {"story", "combinations", mini_make_story, 0, 200},
    {NULL, NULL, NULL, 0, 0},
};

const mini_split mini_tune_splits[] = {
    {"tune", "train", mini_make_tune, 0, 3000},
    {"tune", "valid", mini_make_tune, 0, 200},
    {"tune", "test", mini_make_tune, 0, 300},
    {NULL, NULL, NULL, 0, 0},
};
