package io.crosstide.apply;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.apply.TestRedis.Version;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The differential test finds every bug planted in the script. */
class PlantedBugsIT {
  private static final int SEEDS = 10;
  private static final int BATCHES = 300;

  /** A bug: a part of the script and what it is replaced with. */
  enum Bug {
    MISS_RECORDED_WITH_THE_CONTEXT_AFTER("or context_before(group)", "or ARGV[4]"),
    FIRST_CONTEXT_OF_AN_EXCEPTION_NOT_KEPT("exception and match(exception, ' (.*)$') or ", ""),
    EXCEPTION_DOES_NOT_STOP_AN_EFFECT("if exception and is_newer(exception, knows)", "if false"),
    NEWER_EXCEPTION_TAKEN_FOR_KNOWN("tonumber(n) > tonumber(known_n)", "false"),
    PASS_LEAVES_THE_EXCEPTION("set_exception(digest, false)", "local left"),
    EXCEPTIONS_COUNTED_WRONG("count = count - 1", "count = count"),
    MISS_IN_THE_BATCH_UNSEEN_BY_LATER_EFFECTS(
        "if count > 0 and (not heads", "if held[4] ~= '0' and (not heads"),
    DEADLINE_LOST_BY_A_WRITE(", 'KEEPTTL'", ""),
    ABSENT_MEMBER_REMOVED_WITHOUT_A_MISS("~= 1 and 'guard'", "== 2 and 'guard'"),
    PRESENT_MEMBER_ADDED_WITHOUT_A_MISS("added == 0 and 'guard'", "added == 2 and 'guard'"),
    OTHER_TYPE_OVERWRITTEN(
        "  if foreign then\n    return WRONG_TYPE\n  end\n  if kind", "  if kind"),
    LONG_VALUES_NOT_COMPARED("return sha1(actual) == expected", "return true"),
    SCORES_COMPARED_AS_TEXT(
        "if tonumber(actual) ~= tonumber(expected) then", "if actual ~= expected then"),
    FRACTION_ADDED_TO("before % 1 ~= 0 or ", ""),
    DEADLINE_IN_THE_PAST_DELETES("if tonumber(desired) < earliest then", "if false then"),
    DEADLINE_OF_ANOTHER_STRING_TOUCHED("op == PUT and other_strings[at_key]", "false"),
    DEADLINE_RULED_OUT_FOR_GOOD("other_strings[at_key] = nil", "local ruled_out"),
    EFFECT_IN_ANOTHER_DATABASE("          use(db_of[at_key])", "          use(0)"),
    DIGEST_WITHOUT_THE_DATABASE("(db_of and db_of[at_key] or 0) .. ':'", "'0:'"),
    GAP_ACCEPTED("if fx_number ~= first - 1 then", "if false then"),
    DUPLICATE_NOT_RECOGNISED("if fx_number >= last then", "if false then"),
    EPOCH_NOT_COMPARED("if held[1] ~= epoch then", "if false then"),
    PROBE_NOT_RECORDED(", 'p', fx)", ")"),
    NEIGHBOURS_BEFORE_IGNORED("left = left and is_neighbour(", "left = left or is_neighbour("),
    NEIGHBOURS_AFTER_IGNORED("right = right and is_neighbour(", "right = right or is_neighbour("),
    LONG_NEIGHBOURS_NOT_COMPARED("return #actual > 20 and sha1(actual) == expected", "return true"),
    LIST_SEARCHED_TOO_NEAR("local REACH = {[0] = 8", "local REACH = {[0] = 1"),
    ANY_ELEMENT_AT_ONCE("local ELEMENT_LEAST = {[0] = 3", "local ELEMENT_LEAST = {[0] = 1"),
    GAP_TAKEN_FROM_THE_WRONG_SIDE(
        "if p.right and right or not p.right and left then", "if left then"),
    EFFORT_WITHOUT_END("p.effort == 3 and (hint or n)", "nil"),
    DRAINED_LIST_NOT_RECOGNISED("if all and #side > 0 and", "if false and"),
    HINT_FROM_THE_TAIL_TAKEN_FROM_THE_HEAD(
        "p.hint < 0 and last + 1 + p.hint", "p.hint < 0 and -p.hint"),
    SPLICED_BACK_IN_THE_WRONG_ORDER(
        "back[#back + 1] = off[i]\n    end\n    return #back > 0 and failure(try('RPUSH'",
        "table.insert(back, 2, off[i])\n    end\n    return #back > 0 and failure(try('RPUSH'"),
    TOKEN_LEFT_IN_THE_LIST("return failure(try('LSET', key, gap + 1, beside))", "return nil"),
    INDEX_TOLD_FROM_THE_WRONG_END("left <= right and left or -1 - right, name", "right, name"),
    LIST_OF_ANOTHER_DATABASE("    use(number)\n  end", "  end");

    private final String part;
    private final String replacement;

    Bug(String part, String replacement) {
      this.part = part;
      this.replacement = replacement;
    }
  }

  @TempDir static Path directory;
  private static TestRedis redis;

  @BeforeAll
  static void start() throws IOException {
    Version version = Version.available().findFirst().orElseThrow();
    redis = TestRedis.start(version, directory);
  }

  @AfterAll
  static void stop() {
    redis.close();
  }

  @ParameterizedTest
  @EnumSource
  void theDifferentialTestFindsThePlantedBug(Bug bug) {
    boolean found = false;
    for (long seed = 1; seed <= SEEDS && !found; seed++) {
      ScriptRunner scripts = new ScriptRunner(redis, bug.part, bug.replacement);
      try {
        new DifferentialRun(redis, scripts, seed).run(BATCHES);
      } catch (AssertionError difference) {
        found = true;
      }
    }
    assertThat(found).as("%s is found", bug).isTrue();
  }
}
