#include "tools/datagen/Words.h"
#include <iterator>

namespace sn::datagen {
namespace {
constexpr const char *kGenreNames[kGenres] = {"Drama",   "Comedy",      "Thriller",  "Romance",  "Action",  "Crime",
                                              "Horror",  "Documentary", "Adventure", "Mystery",  "Fantasy", "Family",
                                              "War",     "Animation",   "Musical",   "Western",  "Noir",    "Biography",
                                              "History", "Sport",       "Heist",     "Road",     "Space",   "Spy",
                                              "Satire",  "Gothic",      "Courtroom", "Disaster", "Martial", "Silent"};

constexpr const char *kAdjectives[] = {
    "Silent",   "Crimson",  "Golden",  "Broken",   "Hidden",    "Distant",  "Burning",  "Frozen",    "Lonely",
    "Electric", "Midnight", "Paper",   "Velvet",   "Hollow",    "Restless", "Gentle",   "Savage",    "Wandering",
    "Last",     "First",    "Seventh", "Secret",   "Borrowed",  "Stolen",   "Endless",  "Bitter",    "Quiet",
    "Scarlet",  "Iron",     "Glass",   "Painted",  "Forgotten", "Sleeping", "Northern", "Southern",  "Early",
    "Pale",     "Wild",     "Narrow",  "Perfect",  "Foolish",   "Honest",   "Crooked",  "Sunken",    "Rising",
    "Fallen",   "Unseen",   "Amber",   "Winter",   "Summer",    "Autumn",   "Second",   "Invisible", "Reluctant",
    "Tender",   "Clever",   "Double",  "Faithful", "Nameless",  "Ancient"};

constexpr const char *kNouns[] = {
    "Harbor",  "Garden",   "Letter",      "Mountain",  "River",    "Stranger",  "Promise", "Mirror",  "Journey",
    "Kingdom", "Orchard",  "Station",     "Bridge",    "Winter",   "Shadow",    "Lantern", "Violin",  "Desert",
    "Island",  "Window",   "Voyage",      "Tower",     "Circus",   "Detective", "Captain", "Widow",   "Brothers",
    "Sisters", "Painter",  "Thief",       "Soldier",   "Teacher",  "Pilot",     "Dancer",  "Clock",   "Storm",
    "Fortune", "Silence",  "Empire",      "Highway",   "Carnival", "Horizon",   "Machine", "Planet",  "Comet",
    "Raven",   "Tiger",    "Wolf",        "Sparrow",   "Rose",     "Feather",   "Crown",   "Sword",   "Map",
    "Key",     "Door",     "House",       "Village",   "City",     "Forest",    "Ocean",   "Valley",  "Meadow",
    "Road",    "Train",    "Ship",        "Balloon",   "Piano",    "Song",      "Waltz",   "Secret",  "Riddle",
    "Bargain", "Wedding",  "Inheritance", "Trial",     "Verdict",  "Alibi",     "Rumor",   "Holiday", "Morning",
    "Evening", "Midnight", "Sunday",      "Decade",    "Century",  "Memory",    "Dream",   "Echo",    "Whisper",
    "Signal",  "Equation", "Gambit",      "Labyrinth", "Monsoon",  "Avalanche"};

constexpr const char *kFirstNames[] = {
    "Ada",   "Bruno",  "Clara",  "Dario", "Edith", "Felix",  "Greta",  "Hugo",  "Irene",  "Jonas",
    "Karin", "Leo",    "Mira",   "Nils",  "Olga",  "Pablo",  "Quinn",  "Rosa",  "Stefan", "Tara",
    "Ugo",   "Vera",   "Wanda",  "Xenia", "Yusuf", "Zoe",    "Amir",   "Bella", "Casper", "Dina",
    "Emil",  "Fatima", "Gino",   "Hanna", "Ivo",   "Jana",   "Kofi",   "Lina",  "Marco",  "Nora",
    "Omar",  "Petra",  "Rafael", "Selma", "Tomas", "Ursula", "Viktor", "Wim",   "Yara",   "Zeno"};

constexpr const char *kLastNames[] = {
    "Brook",  "Holt",  "Marsh",  "Vance",  "Reed",   "Stone",   "Lake",   "Frost", "Hill",   "Woods",
    "Field",  "North", "West",   "Moss",   "Grove",  "Dale",    "Ford",   "Glen",  "Heath",  "Lane",
    "Mills",  "Park",  "Pond",   "Ridge",  "Shore",  "Vale",    "Wells",  "York",  "Ash",    "Birch",
    "Cedar",  "Elm",   "Fern",   "Hazel",  "Ivy",    "Juniper", "Linden", "Maple", "Oak",    "Pine",
    "Rowan",  "Sage",  "Thorne", "Willow", "Baker",  "Carver",  "Fisher", "Mason", "Miller", "Piper",
    "Sailor", "Smith", "Turner", "Weaver", "Archer", "Bishop",  "Knight", "Page",  "Porter", "Wright"};

template <size_t N> const char *pick(const char *const (&words)[N], uint32_t number) { return words[number % N]; }
} // namespace

std::string title(uint32_t pattern, uint32_t first, uint32_t second, uint32_t third) {
  std::string adjective = pick(kAdjectives, first), noun = pick(kNouns, second), other = pick(kNouns, third);
  switch (pattern % 5) {
  case 0:
    return "The " + adjective + " " + noun;
  case 1:
    return adjective + " " + noun;
  case 2:
    return noun + " of the " + other;
  case 3:
    return "The " + noun + " and the " + other;
  default:
    return "A " + noun + " for " + pick(kFirstNames, third);
  }
}

const char *genreName(int genre) { return kGenreNames[genre]; }

std::string userName(int64_t i) {
  constexpr int64_t kFirst = std::size(kFirstNames), kLast = std::size(kLastNames);
  int64_t first = i % kFirst, turn = i / kFirst;
  // Walking both lists at once gives neighbours different last names; after kFirst * kLast users a number tells them
  // apart.
  std::string name = std::string(kFirstNames[first]) + " " + kLastNames[(turn + first) % kLast];
  int64_t again = turn / kLast;
  return again ? name + " " + std::to_string(again + 1) : name;
}
} // namespace sn::datagen
